import { type TSchema, Type } from '@sallyport/core';

/** Schemas that count how often a value of a message is looked at: steps that are the same on every machine. */
export class CountedForms {
  looks = 0;
  #unions = 0;

  /** A schema whose every check of a value counts. */
  counted<S extends TSchema>(schema: S, passes: (value: unknown) => boolean = () => true): S {
    const check = (value: unknown): boolean => {
      this.looks++;
      return passes(value);
    };
    return Type.Refine(schema, check) as unknown as S;
  }

  text(): TSchema {
    return this.counted(Type.String(), (value) => typeof value === 'string' && value.length < 200);
  }

  /** One of `count` values, each of which is looked at. */
  oneOf(count: number): TSchema {
    return Type.Union(
      Array.from({ length: count }, (_, i) => this.counted(Type.Number(), (value) => value === i)),
    );
  }

  /** Forms in forms, told apart by a literal, which comes after what is inside. */
  tagged(count: number, inside: TSchema): TSchema {
    return Type.Union(
      Array.from({ length: count }, (_, i) => Type.Object({ in: inside, kind: Type.Literal(`form ${i}`) })),
    );
  }

  /** Forms whose properties are all optional, so that only a look at each value tells them apart. */
  untagged(count: number, inside: TSchema): TSchema {
    return Type.Union(
      Array.from({ length: count }, (_, i) =>
        Type.Object({ in: Type.Optional(inside), [`p${i}`]: Type.Optional(this.text()) }),
      ),
    );
  }

  /** A union whose forms hold it again, and are told apart behind a reference that comes after that. */
  recursiveByReference(): TSchema {
    const name = `Form${++this.#unions}`;
    const form = (kind: string) =>
      Type.Object({ in: Type.Optional(Type.Ref(name)), kind: Type.Ref(`${name}${kind}`), a: this.text() });
    return Type.Cyclic(
      {
        [name]: Type.Union([form('plus'), form('times')]),
        [`${name}plus`]: Type.Literal('plus'),
        [`${name}times`]: Type.Literal('times'),
      },
      name,
    ) as never;
  }

  /** A union whose forms hold it again, with the tag after that, or among other properties. */
  recursive(open: boolean): TSchema {
    // A name may be given once in a schema.
    const name = `Form${++this.#unions}`;
    const form = (kind: string) =>
      Type.Object(
        { in: Type.Optional(Type.Ref(name)), a: this.text(), kind: Type.Literal(kind) },
        open ? { additionalProperties: Type.Ref(name) } : {},
      );
    return Type.Cyclic({ [name]: Type.Union([form('plus'), form('times')]) }, name) as never;
  }
}
