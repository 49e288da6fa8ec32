// Command lines whose output differs from the recording, by file, and why that is right.

export const KNOWN_DIFFERENCES: Readonly<Record<string, Readonly<Record<string, string>>>> = {};
