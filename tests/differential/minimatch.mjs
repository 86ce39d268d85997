// Asks minimatch, under the options of @actions/glob, which paths a pattern matches.
import { minimatch } from 'minimatch';

const options = { dot: true, nobrace: true, nocase: false, nocomment: true, noext: true, nonegate: true };

export function answer({ pattern, paths }) {
  return paths.map(path => minimatch(path, pattern, options));
}
