// Searches and hashes directories with @actions/glob, as the runner's hashFiles does: from the
// workspace, with the settings it has there.
import { create, hashFiles } from '@actions/glob';

export async function answer({ workspace, home, patterns, follow }) {
  process.chdir(workspace);
  process.env.HOME = home;
  const options = { followSymbolicLinks: follow };
  try {
    const globber = await create(patterns, options);
    const found = await globber.glob();
    const result = { found, searched: globber.getSearchPaths() };
    try {
      return { ...result, hash: await hashFiles(patterns, workspace, options) };
    } catch (error) {
      return { ...result, unhashed: String(error.message) };
    }
  } catch (error) {
    return { error: String(error.message) };
  }
}
