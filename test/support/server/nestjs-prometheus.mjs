/**
 * Stands for @willsoto/nestjs-prometheus in tests. It is CommonJS and requires Nest, which is not: Jest, which runs CommonJS while it still
 * links modules, cannot give it a Nest that is not there yet. This one waits for Nest.
 */
import '@nestjs/common';

export const {
  getToken,
  InjectMetric,
  makeCounterProvider,
  makeGaugeProvider,
  makeHistogramProvider,
  makeSummaryProvider,
  PrometheusController,
  PrometheusModule,
} = await import('../../../node_modules/@willsoto/nestjs-prometheus/dist/index.js');
