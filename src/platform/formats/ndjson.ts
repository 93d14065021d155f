export const NDJSON_TYPE = 'application/x-ndjson; charset=utf-8';

export const ndjsonLine = (value: unknown): string => `${JSON.stringify(value)}\n`;
