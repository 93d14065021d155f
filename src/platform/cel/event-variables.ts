import type { CelInput } from '@bufbuild/cel';
import { reflect, type ReflectMessage } from '@bufbuild/protobuf/reflect';
import { timestampFromMs, TimestampSchema } from '@bufbuild/protobuf/wkt';
import type { TypeName } from './check-expression.js';
import { celFromJson } from './json-value.js';
import { exhaust } from './work-budget.js';

/** What an expression can know of an event; an event of the log is one. Times are milliseconds since the epoch. */
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
  /** The topic's name; an expression that asks for it where the caller gives none does not match. */
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

/** Longer texts are not read by expressions with a macro or a pattern. */
const costlyTextMax = 64 * 1024;

/** The variables of one event: what an expression does not ask for is neither parsed nor converted. */
export class EventVariables implements Variables {
  #data: CelInput | undefined;
  #metadata: CelInput | undefined;
  #time: ReflectMessage | undefined;
  /** A stored text that was no JSON. To CEL it is an error like any other; to us it is not. */
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
