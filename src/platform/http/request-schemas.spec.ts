import 'reflect-metadata';
import { ApiProperty } from '@nestjs/swagger';
import { IsEmail, IsIn, IsInt, IsOptional, Max, Min } from 'class-validator';
import { Nested, PlainText, Reference, Rfc3339, WhenGiven } from './field-rules.js';
import { describeRequests, Related } from './request-schemas.js';

class InnerDto {
  @IsInt()
  @Min(1)
  readonly size!: number;
}

class Base {
  @IsOptional()
  @PlainText(5)
  readonly name?: string | null;
}

@Related({ minProperties: 1 })
class OuterBody extends Base {
  @IsIn(['red', 'green'])
  readonly colour!: string;

  @ApiProperty({ description: 'When.', maxLength: 7 })
  @WhenGiven()
  @Rfc3339()
  readonly time?: string;

  @WhenGiven()
  @Nested(() => InnerDto)
  readonly inner?: InnerDto;
}

class PagesQuery {
  @IsOptional()
  @IsInt()
  @Max(9)
  readonly limit: number = 5;

  @IsOptional()
  @Reference(3)
  readonly owner?: string;
}

const said = (target: { prototype: object }, field: string): unknown =>
  Reflect.getMetadata('swagger/apiModelProperties', target.prototype, field);

describe('the contract of a field', () => {
  beforeAll(() => describeRequests());

  it('consists of its rules, in order of declaration, and of manual descriptions', () => {
    expect(said(OuterBody, 'name')).toMatchObject({ type: 'string', minLength: 1, maxLength: 5, nullable: true });
    expect(said(OuterBody, 'colour')).toMatchObject({ type: 'string', enum: ['red', 'green'], required: true });
    expect(said(OuterBody, 'time')).toMatchObject({ description: 'When.', format: 'date-time', required: false });
    expect(said(OuterBody, 'inner')).toMatchObject({ required: false, type: expect.any(Function) });
    expect(said(InnerDto, 'size')).toMatchObject({ type: 'integer', minimum: 1 });
    expect(Reflect.getMetadata('swagger/apiModelPropertiesArray', OuterBody.prototype)).toEqual([
      ':name',
      ':colour',
      ':time',
      ':inner',
    ]);
  });

  it('has its default, and in a query no null', () => {
    expect(said(PagesQuery, 'limit')).toMatchObject({ type: 'integer', maximum: 9, default: 5, required: false });
    expect(said(PagesQuery, 'owner')).not.toHaveProperty('nullable');
  });

  it('closes its class, and states the relations between its fields', () => {
    const closed = Reflect.getMetadata('swagger/apiSchema', OuterBody) as object[];
    expect(closed.at(-1)).toEqual({ additionalProperties: false, minProperties: 1 });
  });
});

it('a rule without a counterpart in the contract is an error: a planted one is found', () => {
  class PlantedBody {
    @IsEmail()
    readonly email!: string;
  }
  expect(PlantedBody.name).toBe('PlantedBody');
  expect(() => describeRequests()).toThrow('PlantedBody.email: the contract has no words for isEmail');
});
