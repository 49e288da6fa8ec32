import path from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'electron-vite';

const root = import.meta.dirname;
const alias = { '#shared': path.join(root, 'shared') };

export default defineConfig({
  main: {
    build: { outDir: 'out/main', rollupOptions: { input: path.join(root, 'electron/main/index.ts') } },
    resolve: { alias },
  },
  preload: {
    // A sandboxed preload script must be CommonJS and bring everything with it.
    build: {
      externalizeDeps: false,
      outDir: 'out/preload',
      rollupOptions: { input: path.join(root, 'electron/preload/index.ts'), output: { format: 'cjs', entryFileNames: '[name].cjs' } },
    },
    resolve: { alias },
  },
  renderer: {
    root: path.join(root, 'renderer'),
    build: { outDir: path.join(root, 'out/renderer'), rollupOptions: { input: path.join(root, 'renderer/index.html') } },
    resolve: { alias },
    plugins: [react()],
  },
});
