// Models /hello of the hello-world image, in words of our own.

import { utf8 } from '../../sim/bytes.ts';
import type { Program } from '../../kernel/process.ts';

const TEXT = `
Hello from Docker!
This message shows that the installation works: the client asked the daemon,
the daemon fetched the "hello-world" image, started a container of it, and
sent its output back to this terminal.

`;

export const dockerHello: Program = {
  name: 'docker-hello',
  paths: [],
  main: async (process) => {
    await process.stdout.write(utf8(TEXT));
    return 0;
  },
};
