// GitHub's cheat sheet of filter patterns, sentence by sentence, by trying every way. It is no
// package of GitHub's, whose service alone has one; it shares nothing with lrun's but the page.
// The pattern is one that lrun takes.

// What may be repeated: a test of one character.
function parse(pattern) {
  const items = [];
  const characters = [...pattern];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at];
    const startsSegment = items.length === 0 || items.at(-1).slash;
    if (character === '*' && characters[at + 1] === '*') {
      at += 1;
      if (startsSegment && characters[at + 1] === '/') {
        at += 1;
        // Any number of directories, also none.
        items.push({ directories: true });
      } else items.push({ any: true });
    } else if (character === '*') items.push({ some: true });
    else if (character === '?' || character === '+') items.push({ ...items.pop(), times: character, slash: false });
    else if (character === '[') {
      const end = characters.indexOf(']', at);
      const members = characters.slice(at + 1, end).join('');
      at = end;
      items.push({ one: one => new RegExp(`^[${members}]$`).test(one) });
    } else if (character === '\\') {
      at += 1;
      const literal = characters[at];
      items.push({ one: one => one === literal, slash: literal === '/' });
    } else items.push({ one: one => one === character, slash: character === '/' });
  }
  return items;
}

function matches(items, name, item = 0, at = 0, seen = new Set()) {
  const state = item * (name.length + 1) + at;
  if (seen.has(state)) return false;
  seen.add(state);
  const go = (nextItem, nextAt) => matches(items, name, nextItem, nextAt, seen);
  if (item === items.length) return at === name.length;
  const { directories, any, some, one, times } = items[item];
  if (directories) {
    if (go(item + 1, at)) return true;
    for (let end = at; end < name.length; end++) {
      if (name[end] === '/' && go(item + 1, end + 1)) return true;
    }
    return false;
  }
  if (any || some) {
    if (go(item + 1, at)) return true;
    return at < name.length && (any || name[at] !== '/') && go(item, at + 1);
  }
  const taken = at < name.length && one(name[at]);
  if (times === '?') return go(item + 1, at) || (taken && go(item + 1, at + 1));
  // One is enough; more are the same item again.
  if (times === '+') return taken && (go(item + 1, at + 1) || go(item, at + 1));
  return taken && go(item + 1, at + 1);
}

export function answer({ patterns, names }) {
  const parsed = patterns.map(pattern => ({
    negated: pattern.startsWith('!'),
    items: parse(pattern.replace(/^!/, '')),
  }));
  const taken = names.map(name => {
    let taken = false;
    for (const { negated, items } of parsed) {
      if (matches(items, [...name])) taken = !negated;
    }
    return taken;
  });
  return { include: taken.some(Boolean), ignore: taken.length > 0 && taken.every(Boolean) };
}
