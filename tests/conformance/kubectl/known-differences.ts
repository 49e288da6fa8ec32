// Command lines at which our kubectl prints something else than kubectl v1.20.2, and why that is right.

export const KNOWN_DIFFERENCES: Readonly<Record<string, string>> = {};
