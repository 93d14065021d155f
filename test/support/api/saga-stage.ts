import type { Provider } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { cqrsModule, SagaFailures } from '../../../src/platform/sagas/index.js';

export interface SagaStage {
  readonly module: TestingModule;
  /** What failed, as it is reported. */
  readonly told: string[];
}

/** The product's bus with sagas and handlers of a test. They get no events before `module.init()`. */
export async function sagaStage(providers: readonly Provider[]): Promise<SagaStage> {
  const told: string[] = [];
  const tell = (name: string, error: Error): void => void told.push(`${name}: ${error.message}`);
  const failures = { provide: SagaFailures, useValue: { tell, willTryAgain: tell } };
  const telling = { module: class Telling {}, providers: [failures], exports: [SagaFailures] };
  const module = await Test.createTestingModule({
    imports: [telling, cqrsModule([telling])],
    providers: [...providers],
  }).compile();
  return { module, told };
}
