import type { CelInput } from '@bufbuild/cel';
import { reflect, type ReflectMessage } from '@bufbuild/protobuf/reflect';
import { timestampFromMs, TimestampSchema } from '@bufbuild/protobuf/wkt';
import type { TypeName } from './check-expression.js';
import { celFromJson } from './json-value.js';
import { exhaust } from './work-budget.js';

/** What an expression can read of an event; a stored event has this form. Times are milliseconds since the epoch. */
export interface FilterInput {
  readonly id: string;
  readonly type: string;
  readonly key: string | null;
  readonly stream: string | null;
  /** JSON text. */
  readonly data: string;
  /** JSON text of an object; null: an empty one. */
  readonly metadata: string | null;
  /** null: the time of recording. */
  readonly occurredAt: number | null;
  readonly recordedAt: number;
  readonly position: number;
  /** The topic's name; an expression that reads it does not match where the caller gives none. */
  readonly topic?: string | undefined;
}

export const eventVariables = {
  type: 'string',
  data: 'dyn',
  key: 'dyn',
  stream: 'dyn',
  metadata: 'map',
  time: 'google.protobuf.Timestamp',
  position: 'int',
  id: 'string',
  topic: 'string',
} as const satisfies Record<string, TypeName>;

const noMetadata: CelInput = new Map();

type Variables = Record<keyof typeof eventVariables, CelInput | undefined>;

/** Expressions with a macro or a pattern do not read longer texts. */
const costlyTextMax = 64 * 1024;

/** The variables of one event: parsed and converted only when the expression reads them. */
export class EventVariables implements Variables {
  #data: CelInput | undefined;
  #metadata: CelInput | undefined;
  #time: ReflectMessage | undefined;
  /** The error of a stored text that is not JSON. To CEL it is an error like any other; to us it is not. */
  corrupt: unknown = undefined;

  constructor(
    private readonly event: FilterInput,
    private readonly costly: boolean,
  ) {}

  get data(): CelInput {
    return (this.#data ??= this.#read(this.event.data));
  }

  get metadata(): CelInput {
    return (this.#metadata ??= this.event.metadata === null ? noMetadata : this.#read(this.event.metadata));
  }

  get time(): ReflectMessage {
    return (this.#time ??= reflect(TimestampSchema, timestampFromMs(this.event.occurredAt ?? this.event.recordedAt)));
  }

  get position(): bigint {
    return BigInt(this.event.position);
  }

  get id(): string {
    return this.event.id;
  }

  get type(): string {
    return this.event.type;
  }

  get key(): string | null {
    return this.event.key;
  }

  get stream(): string | null {
    return this.event.stream;
  }

  get topic(): string | undefined {
    return this.event.topic;
  }

  #read(text: string): CelInput {
    if (this.costly && text.length > costlyTextMax) exhaust();
    try {
      return celFromJson(text);
    } catch (error) {
      if (error instanceof SyntaxError) this.corrupt = error;
      throw error;
    }
  }
}
