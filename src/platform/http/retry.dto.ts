import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsIn, IsInt, IsNumber, Max, Min, ValidateIf } from 'class-validator';
import { WhenGiven } from './field-rules.js';
import { Related } from './request-schemas.js';

const DAY_MS = 86_400_000;

const whole = (minimum: number, maximum: number): PropertyDecorator =>
  applyDecorators(WhenGiven(), IsInt(), Min(minimum), Max(maximum));

/** Of a consumer, or a tenant's default for consumers without one. */
@Related({
  anyOf: [
    { properties: { strategy: { enum: ['exponential', 'linear', 'fixed'] } } },
    { required: ['strategy', 'scheduleMs'], properties: { strategy: { const: 'schedule' } } },
  ],
})
export class RetryDto {
  @ApiPropertyOptional({ default: 'exponential' })
  @WhenGiven()
  @IsIn(['exponential', 'linear', 'fixed', 'schedule'])
  readonly strategy?: 'exponential' | 'linear' | 'fixed' | 'schedule';

  @whole(10, DAY_MS)
  readonly initialDelayMs?: number;

  @whole(10, DAY_MS)
  readonly maxDelayMs?: number;

  @ApiPropertyOptional({ default: 2 })
  @WhenGiven()
  @IsNumber({ allowNaN: false, allowInfinity: false })
  @Min(1)
  @Max(100)
  readonly multiplier?: number;

  @ApiPropertyOptional({ default: 0.1, description: 'Share of the delay that may be added at random.' })
  @WhenGiven()
  @IsNumber({ allowNaN: false, allowInfinity: false })
  @Min(0)
  @Max(1)
  readonly jitter?: number;

  @whole(1, 1_000)
  readonly maxAttempts?: number;

  @whole(1, 30 * 86_400)
  readonly maxAgeSeconds?: number;

  @ApiPropertyOptional({ description: 'Delays of the strategy `schedule`; the last one is repeated.' })
  @ValidateIf(({ strategy, scheduleMs }: RetryDto) => strategy === 'schedule' || scheduleMs !== undefined)
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(100)
  @IsInt({ each: true })
  @Min(0, { each: true })
  @Max(DAY_MS, { each: true })
  readonly scheduleMs?: number[];
}
