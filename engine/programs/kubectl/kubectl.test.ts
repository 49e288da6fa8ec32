import { describe, expect, it } from 'vitest';
import { KubectlLab } from '../../../tests/support/kubectl-lab.ts';

describe('kubectl before an API server', () => {
  it('creates, lists and deletes a deployment', async () => {
    const lab = await KubectlLab.open();
    expect(await lab.run(['create', 'deployment', 'web', '--image=nginx'])).toEqual({
      stdout: 'deployment.apps/web created\n',
      stderr: '',
      exit: 0,
    });
    expect((await lab.run(['get', 'deploy', '-o', 'name'])).stdout).toBe('deployment.apps/web\n');
    expect(await lab.run(['get', 'pods'])).toEqual({ stdout: '', stderr: 'No resources found in default namespace.\n', exit: 0 });
  });
});
