import { describe, expect, it } from 'vitest';
import { parseScript } from './script.ts';

const MACHINES = ['m-k8s', 'w1-k8s'];

describe('a session script', () => {
  it('reads commands, waits and powers', () => {
    const steps = parseScript(
      `# a comment
m-k8s$ kubectl get nodes | grep -c Ready
@advance 1m30s
@until 60s m-k8s$ kubectl get pods ~ /Running\\s+0/
@snapshot save before the storm
@power w1-k8s reset`,
      MACHINES,
    );
    expect(steps).toEqual([
      { kind: 'command', line: 2, machine: 'm-k8s', command: 'kubectl get nodes | grep -c Ready' },
      { kind: 'advance', line: 3, durationMs: 90_000 },
      { kind: 'until', line: 4, withinMs: 60_000, machine: 'm-k8s', command: 'kubectl get pods', pattern: /Running\s+0/m },
      { kind: 'snapshot', line: 5, action: 'save', name: 'before the storm' },
      { kind: 'power', line: 6, machine: 'w1-k8s', action: 'reset' },
    ]);
  });

  it('takes a here-document whole', () => {
    const [step] = parseScript("m-k8s$ cat > a.yaml <<'EOF'\nkind: Pod\n# not a comment\nEOF\nm-k8s$ ls", MACHINES);
    expect(step).toMatchObject({ command: "cat > a.yaml <<'EOF'\nkind: Pod\n# not a comment\nEOF" });
  });

  it.each([
    ['x-k8s$ ls', 'line 1: no machine is named "x-k8s" (there are m-k8s, w1-k8s)'],
    ['ls', 'line 1: expected `VM$ command`, a directive or a comment'],
    ['@advance soon', 'line 1: "soon" is no duration'],
    ['@until 3s m-k8s$ ls ~ /(/', 'line 1: Invalid regular expression'],
    ['@sleep 3', 'line 1: unknown directive "@sleep"'],
    ['@power m-k8s explode', 'line 1: expected `@power VM off|on|reset`'],
    ['m-k8s$ cat <<EOF\nx', 'line 1: the here-document misses its end "EOF"'],
  ])('%s is refused', (source, want) => {
    expect(() => parseScript(source, MACHINES)).toThrow(want);
  });
});
