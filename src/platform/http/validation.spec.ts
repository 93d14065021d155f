import 'reflect-metadata';
import { IsIn, IsOptional, IsString, MaxLength, MinLength } from 'class-validator';
import type { DomainError } from '../../kernel/domain-error.js';
import { QueryInt, strictValidation } from './validation.js';

class Body {
  @IsString()
  @MinLength(2)
  @MaxLength(4)
  readonly name!: string;

  @IsOptional()
  @IsIn(['red', 'green'])
  readonly colour?: string;
}

class Query {
  @IsOptional()
  @QueryInt(1, 1_000)
  readonly limit: number = 50;
}

async function errorsOf(value: object, metatype: typeof Body | typeof Query): Promise<unknown> {
  const type = metatype === Body ? 'body' : 'query';
  return strictValidation.transform(value, { type, metatype }).then(
    () => [],
    (error: DomainError) => error.extensions.errors,
  );
}

describe('an invalid field is reported with one reason', () => {
  it.each([
    ['that it is missing', {}, [{ pointer: '/name', detail: 'is required' }]],
    ['its type', { name: 7 }, [{ pointer: '/name', detail: 'must be a string' }]],
    ['its type, also where it is null', { name: null }, [{ pointer: '/name', detail: 'must be a string' }]],
    ['its length', { name: 'x' }, [{ pointer: '/name', detail: 'must be longer than or equal to 2 characters' }]],
    ['that it is unknown', { name: 'ok', size: 1 }, [{ pointer: '/size', detail: 'is not a known field' }]],
    [
      'several, each its own',
      { name: 1, colour: 'blue' },
      [
        { pointer: '/name', detail: 'must be a string' },
        { pointer: '/colour', detail: 'must be one of the following values: red, green' },
      ],
    ],
  ])('%s', async (_, body, errors) => {
    expect(await errorsOf(body, Body)).toEqual(errors);
  });

  it.each([
    ['1.5', 'must be an integer number'],
    ['1e2', 'must be an integer number'],
    ['0', 'must not be less than 1'],
    ['1001', 'must not be greater than 1000'],
  ])('of a whole number in the query: %s', async (limit, detail) => {
    expect(await errorsOf({ limit }, Query)).toEqual([{ pointer: '?limit', detail }]);
  });
});
