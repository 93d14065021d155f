import { Module } from '@nestjs/common';
import { LOOP_METRICS } from './loop-metrics.js';

@Module({ providers: LOOP_METRICS })
export class JobsModule {}
