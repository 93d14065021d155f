import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsIn, IsInt, IsNumber, Max, Min, ValidateIf } from 'class-validator';

const DAY_MS = 86_400_000;

/** A field may be left out, but null means nothing for it. */
const WhenGiven = (): PropertyDecorator => ValidateIf((_, value) => value !== undefined);

const whole = (minimum: number, maximum: number): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({ type: Number, minimum, maximum }),
    WhenGiven(),
    IsInt(),
    Min(minimum),
    Max(maximum),
  );

/** Of a consumer, and what a tenant sets for those that leave it out. */
export class RetryDto {
  @ApiPropertyOptional({ enum: ['exponential', 'linear', 'fixed', 'schedule'], default: 'exponential' })
  @WhenGiven()
  @IsIn(['exponential', 'linear', 'fixed', 'schedule'])
  readonly strategy?: 'exponential' | 'linear' | 'fixed' | 'schedule';

  @whole(10, DAY_MS)
  readonly initialDelayMs?: number;

  @whole(10, DAY_MS)
  readonly maxDelayMs?: number;

  @ApiPropertyOptional({ minimum: 1, maximum: 100, default: 2 })
  @WhenGiven()
  @IsNumber({ allowNaN: false, allowInfinity: false })
  @Min(1)
  @Max(100)
  readonly multiplier?: number;

  @ApiPropertyOptional({ minimum: 0, maximum: 1, default: 0.1, description: 'Share of the delay that chance may add.' })
  @WhenGiven()
  @IsNumber({ allowNaN: false, allowInfinity: false })
  @Min(0)
  @Max(1)
  readonly jitter?: number;

  @whole(1, 1_000)
  readonly maxAttempts?: number;

  @whole(1, 30 * 86_400)
  readonly maxAgeSeconds?: number;

  @ApiPropertyOptional({ type: [Number], description: 'Delays of the strategy `schedule`; the last one is repeated.' })
  @ValidateIf(({ strategy, scheduleMs }: RetryDto) => strategy === 'schedule' || scheduleMs !== undefined)
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(100)
  @IsInt({ each: true })
  @Min(0, { each: true })
  @Max(DAY_MS, { each: true })
  readonly scheduleMs?: number[];
}
