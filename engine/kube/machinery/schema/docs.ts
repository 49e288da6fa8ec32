// Descriptions of types and fields. They are large and seldom asked for, so whoever runs the engine keeps them, and they are read
// each time they are needed.

/** By package (`core/v1`), then by type: its description, and those of its fields by their names in JSON. */
export type ApiDocs = Readonly<Record<string, Readonly<Record<string, readonly [type: string, fields: Readonly<Record<string, string>>]>>>>;

let read: () => ApiDocs | undefined = () => undefined;

/** Says where descriptions come from; without it types have none. */
export function provideApiDocs(source: () => ApiDocs | undefined): void {
  read = source;
}

export function readApiDocs(): ApiDocs {
  return read() ?? {};
}
