import type { Provider } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { cqrsModule, SagaFailures } from '../../../src/platform/sagas/index.js';

export interface SagaStage {
  readonly module: TestingModule;
  /** What failed, as it is reported. */
  readonly reported: string[];
}

/** The product's bus with sagas and handlers of a test. They get no events before `module.init()`. */
export async function sagaStage(providers: readonly Provider[]): Promise<SagaStage> {
  const reported: string[] = [];
  const report = (name: string, error: Error): void => void reported.push(`${name}: ${error.message}`);
  const failures = { provide: SagaFailures, useValue: { report, reportRetry: report } };
  const reporting = { module: class Reporting {}, providers: [failures], exports: [SagaFailures] };
  const module = await Test.createTestingModule({
    imports: [reporting, cqrsModule([reporting])],
    providers: [...providers],
  }).compile();
  return { module, reported };
}
