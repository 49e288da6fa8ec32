// The live list of nodes and pods: what `kubectl get nodes` and `kubectl get pods -o wide` would say now.

import type { ReactElement } from 'react';
import { humanAge } from '#shared/views/age.ts';
import type { NodeView, PodView } from '#shared/views/views.ts';
import { useTranslate } from '../../i18n/language.ts';
import { useSingle, useTable } from '../../store/lab-store.ts';
import { changeSettings, useSettings } from '../../store/settings.ts';

export function ClusterPanel(): ReactElement {
  const translate = useTranslate();
  const nodes = [...useTable('node').values()].sort((a, b) => compare(a.name, b.name));
  const pods = [...useTable('pod').values()].sort((a, b) => compare(a.namespace, b.namespace) || compare(a.name, b.name));
  const isStale = useSingle('cluster')?.isStale === true;
  const nowMs = useSingle('clock')?.labMs ?? 0;
  const { namespace } = useSettings();
  const namespaces = [...new Set(pods.map((pod) => pod.namespace))];
  const shown = namespace === '' ? pods : pods.filter((pod) => pod.namespace === namespace);
  const groups = [...new Set(shown.map((pod) => pod.namespace))];

  return (
    <aside className={`cluster${isStale ? ' is-stale' : ''}`} aria-label={translate('cluster.title')}>
      {isStale ? (
        <p className="stale-note" role="status">
          {translate('cluster.stale')}
        </p>
      ) : null}
      <section aria-labelledby="nodes-title">
        <header className="panel-title">
          <h2 id="nodes-title">{translate('cluster.nodes')}</h2>
          <span className="count">
            {nodes.filter((node) => node.status.split(',')[0] === 'Ready').length}/{nodes.length} Ready
          </span>
        </header>
        <ul className="nodes">
          {nodes.map((node) => (
            <NodeRow key={node.name} node={node} nowMs={nowMs} />
          ))}
        </ul>
        {nodes.length === 0 ? <p className="hint">{translate('cluster.noNodes')}</p> : null}
      </section>
      <section className="pods-section" aria-labelledby="pods-title">
        <header className="panel-title">
          <h2 id="pods-title">{translate('cluster.pods')}</h2>
          <span className="count">{shown.length}</span>
          <span className="stretch" />
          <select
            aria-label={translate('cluster.namespace')}
            value={namespaces.includes(namespace) || namespace === '' ? namespace : ''}
            onChange={(event) => changeSettings({ namespace: event.target.value })}
          >
            <option value="">{translate('cluster.allNamespaces')}</option>
            {namespaces.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </header>
        {shown.length === 0 ? <p className="hint">{translate('cluster.noPods')}</p> : null}
        <div className="pods">
          {groups.map((group) => (
            <div key={group}>
              <h3 className="group">{group}</h3>
              <ul>
                {shown
                  .filter((pod) => pod.namespace === group)
                  .map((pod) => (
                    <PodRow key={pod.uid} pod={pod} nowMs={nowMs} />
                  ))}
              </ul>
            </div>
          ))}
        </div>
      </section>
    </aside>
  );
}

function NodeRow({ node, nowMs }: { readonly node: NodeView; readonly nowMs: number }): ReactElement {
  const translate = useTranslate();
  const [ready] = node.status.split(',');
  const tone = ready === 'Ready' ? (node.status === 'Ready' ? 'good' : 'busy') : 'bad';
  return (
    <li className="node" data-node={node.name} title={`${node.roles} · ${node.version} · ${node.address}`}>
      <span className={`dot is-${tone}`} aria-hidden="true" />
      <span className="node-name">{node.name}</span>
      <span className={`status is-${tone}`}>{node.status}</span>
      <span className="muted node-address">{node.address}</span>
      <span className="muted number">{translate('cluster.podCount', { count: node.pods })}</span>
      <span className="muted number age">{humanAge(node.createdMs, nowMs)}</span>
    </li>
  );
}

function PodRow({ pod, nowMs }: { readonly pod: PodView; readonly nowMs: number }): ReactElement {
  const translate = useTranslate();
  return (
    <li className="pod" data-pod={pod.name} data-status={pod.status}>
      <span className={`dot is-${pod.tone}`} aria-hidden="true" />
      <span className="pod-name" title={pod.name}>
        {pod.name}
      </span>
      <span className={`status is-${pod.tone}`}>{pod.status}</span>
      <span className="pod-ready number">{pod.ready}</span>
      <span
        className={`pod-restarts number${pod.restarts > 0 ? ' has-some' : ''}`}
        title={translate('cluster.restartCount', { count: pod.restarts })}
      >
        ↻{pod.restarts}
      </span>
      <span className="pod-ip muted">{pod.address ?? '<none>'}</span>
      <span className="pod-node muted">{pod.node ?? '<none>'}</span>
      <span className="age muted number">{humanAge(pod.createdMs, nowMs)}</span>
    </li>
  );
}

/** As kubectl sorts: by bytes, not by language. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
