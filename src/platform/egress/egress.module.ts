import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { WallClock } from '../../kernel/clock.js';
import { ClockModule } from '../clock/clock.module.js';
import { DELIVERY_SETTINGS, type Settings } from '../config/index.js';
import { Egress } from './egress.js';

@Module({
  imports: [ClockModule],
  providers: [
    {
      provide: Egress,
      inject: [DELIVERY_SETTINGS, WallClock],
      useFactory: ({ allowedCidrs, allowHttp, connectTimeoutMs, dnsServers }: Settings['delivery'], clock: WallClock) =>
        new Egress({ allowedCidrs, allowHttp, connectTimeoutMs, dnsServers, clock }),
    },
  ],
  exports: [Egress],
})
export class EgressModule implements OnApplicationShutdown {
  constructor(private readonly egress: Egress) {}

  async onApplicationShutdown(): Promise<void> {
    await this.egress.close();
  }
}
