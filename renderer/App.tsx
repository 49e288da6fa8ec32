// The window: machines and snapshots on the left, terminals in the middle, the cluster on the right.

import { useEffect, type ReactElement } from 'react';
import { ClusterPanel } from './features/cluster/ClusterPanel.tsx';
import { MachineList } from './features/machines/MachineList.tsx';
import { ConnectionScreen } from './features/shell/ConnectionScreen.tsx';
import { DoorsButton } from './features/shell/DoorsButton.tsx';
import { currentTheme } from './features/shell/theme.ts';
import { SnapshotPanel } from './features/snapshots/SnapshotPanel.tsx';
import { TerminalArea } from './features/terminals/TerminalArea.tsx';
import { TimeControl } from './features/time/TimeControl.tsx';
import { useLanguage, useTranslate } from './i18n/language.ts';
import { useSingle } from './store/lab-store.ts';
import { changeSettings, useSettings } from './store/settings.ts';
import { IconButton } from './ui/IconButton.tsx';
import { MenuHost } from './ui/Menu.tsx';
import { Splitter } from './ui/Splitter.tsx';
import { Toasts } from './ui/toast.tsx';

export function App(): ReactElement {
  const translate = useTranslate();
  const language = useLanguage();
  const { isSideShown, isClusterShown, sideWidth, clusterWidth } = useSettings();

  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);

  return (
    <div className="app">
      <TopBar />
      <div className="columns">
        {isSideShown ? (
          <>
            <nav className="side" style={{ width: sideWidth }} aria-label={translate('machines.title')}>
              <MachineList />
              <SnapshotPanel />
            </nav>
            <Splitter
              label={translate('view.resize')}
              width={sideWidth}
              least={190}
              most={420}
              side="left"
              onWidth={(width) => changeSettings({ sideWidth: width })}
            />
          </>
        ) : null}
        <TerminalArea />
        {isClusterShown ? (
          <>
            <Splitter
              label={translate('view.resize')}
              width={clusterWidth}
              least={260}
              most={900}
              side="right"
              onWidth={(width) => changeSettings({ clusterWidth: width })}
            />
            <div className="cluster-place" style={{ width: clusterWidth }}>
              <ClusterPanel />
            </div>
          </>
        ) : null}
      </div>
      <MenuHost />
      <Toasts />
      <ConnectionScreen />
    </div>
  );
}

function TopBar(): ReactElement {
  const translate = useTranslate();
  const language = useLanguage();
  const lab = useSingle('lab');
  const { isSideShown, isClusterShown, fontSize } = useSettings();
  const theme = currentTheme();

  return (
    <header className="top">
      <IconButton
        icon="panelLeft"
        label={translate('view.side')}
        aria-pressed={isSideShown}
        onClick={() => changeSettings({ isSideShown: !isSideShown })}
      />
      <span className="brand">NoBox</span>
      <span className="muted lab-name">{lab?.name}</span>
      <span className="stretch" />
      <TimeControl />
      <span className="stretch" />
      <DoorsButton />
      <button
        type="button"
        className="button is-quiet text-size"
        aria-label={translate('view.smaller')}
        title={translate('view.smaller')}
        onClick={() => changeSettings({ fontSize: Math.max(9, fontSize - 1) })}
      >
        A−
      </button>
      <button
        type="button"
        className="button is-quiet text-size"
        aria-label={translate('view.larger')}
        title={translate('view.larger')}
        onClick={() => changeSettings({ fontSize: Math.min(24, fontSize + 1) })}
      >
        A+
      </button>
      <button
        type="button"
        className="button is-quiet"
        lang={language === 'ko' ? 'en' : 'ko'}
        aria-label={translate('view.language')}
        title={translate('view.language')}
        onClick={() => changeSettings({ language: language === 'ko' ? 'en' : 'ko' })}
      >
        {language === 'ko' ? 'EN' : '한'}
      </button>
      <IconButton
        icon={theme === 'dark' ? 'sun' : 'moon'}
        label={translate('view.theme')}
        onClick={() => changeSettings({ theme: theme === 'dark' ? 'light' : 'dark' })}
      />
      <IconButton
        icon="panelRight"
        label={translate('view.cluster')}
        aria-pressed={isClusterShown}
        onClick={() => changeSettings({ isClusterShown: !isClusterShown })}
      />
    </header>
  );
}
