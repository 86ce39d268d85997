import { appendFileSync } from 'node:fs';
import * as core from '@actions/core';

// Which part this is, told by what the part before it has left.
const before = core.getState('parts');
const part = process.argv[1].endsWith('pre.js') ? 'pre' : before.includes('main') ? 'post' : 'main';
core.saveState('parts', `${before} ${part}`.trim());
core.info(`${core.getInput('name')}: ${part} after '${before}'`);
appendFileSync(`${process.env.RUNNER_TEMP}/parts`, `${core.getInput('name')}-${part}\n`);
if (part === core.getInput('fails')) {
  core.setFailed(`${part} does not want to`);
}
if (part === core.getInput('stays')) {
  process.on('SIGINT', () => {
    core.info('was interrupted');
    process.exit(1);
  });
  setInterval(() => undefined, 1000);
  core.info('ready');
}
