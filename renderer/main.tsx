import '@xterm/xterm/css/xterm.css';
import './styles/tokens.css';
import './styles/base.css';
import './styles/layout.css';
import './styles/panels.css';

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './App.tsx';
import { startTheme } from './features/shell/theme.ts';
import { startLab } from './lab.ts';

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has a #root');

startTheme();
startLab();
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
