/** Both ends of the port must speak the same version of the protocol; a page that is older than its host is told to reload. */
export const PROTOCOL_VERSION = 1;
