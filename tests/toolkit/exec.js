import assert from 'node:assert/strict';
import { mkdirSync, realpathSync } from 'node:fs';
import * as core from '@actions/core';
import * as exec from '@actions/exec';

async function main() {
  const temp = process.env.RUNNER_TEMP;
  mkdirSync(`${temp}/of exec`);
  assert.equal(await exec.exec('echo', ['seen in', 'the log']), 0);
  const told = await exec.getExecOutput('sh', ['-c', 'echo "$A in $PWD"; echo err >&2'], {
    env: { ...process.env, A: 'value' }, cwd: `${temp}/of exec`, silent: true,
  });
  assert.deepEqual(told, { exitCode: 0, stdout: `value in ${realpathSync(temp)}/of exec\n`, stderr: 'err\n' });
  await assert.rejects(exec.exec('sh', ['-c', 'exit 3']), /failed with exit code 3/);
  assert.equal(await exec.exec('sh -c "exit 4"', [], { ignoreReturnCode: true }), 4);
  await assert.rejects(exec.exec('no-such-tool'), /Unable to locate executable file: no-such-tool/);
  await assert.rejects(exec.exec('true', [], { cwd: '/no/such' }), /The cwd: \/no\/such does not exist/);
  const lines = [];
  await exec.exec('cat', [], { input: Buffer.from('a\nb\n'), listeners: { stdline: line => lines.push(line) } });
  assert.deepEqual(lines, ['a', 'b']);
  // Its workspace is where an action starts.
  assert.equal((await exec.getExecOutput('pwd', [], { silent: true })).stdout.trim(), process.env.GITHUB_WORKSPACE);
  core.info('all of exec');
}

main().catch(core.setFailed);
