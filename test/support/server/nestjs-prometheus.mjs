/**
 * Replaces @willsoto/nestjs-prometheus in tests. That is CommonJS and requires Nest, which is ESM: Jest runs CommonJS while it still links
 * modules, when Nest is not loaded yet. This module imports Nest first.
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
