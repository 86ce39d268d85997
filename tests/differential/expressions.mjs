// Evaluates expressions with @actions/expressions: as it is, and with each rule that the runner's
// C# has otherwise put in its place. What a rule changed is named, so that its effect is counted.
import { data, Evaluator, Lexer, Parser, wellKnownFunctions } from '@actions/expressions';
import { FilteredArray } from '@actions/expressions/filtered_array';

let corrects = false;
let rules = new Set();

// Replaces a method while `corrects` holds. `correct` gets the method it replaces.
function correct(target, name, correct) {
  const original = target[name];
  target[name] = function (...given) {
    return corrects ? correct.call(this, original, ...given) : original.apply(this, given);
  };
}

function rule(name, theirs, ours) {
  if (!Object.is(theirs, ours)) rules.add(name);
  return ours;
}

// .NET's G15.
function numberText(value) {
  if (!Number.isFinite(value)) return String(value);
  if (value === 0) return '0';
  const [mantissa, power] = Math.abs(value).toExponential(14).split('e');
  const digits = mantissa.replace('.', '').replace(/0+$/, '');
  const exponent = Number(power);
  const sign = value < 0 ? '-' : '';
  if (exponent < -5 || exponent >= 15) {
    const fraction = digits.length > 1 ? '.' + digits.slice(1) : '';
    const size = String(Math.abs(exponent)).padStart(2, '0');
    return `${sign}${digits[0]}${fraction}E${exponent < 0 ? '-' : '+'}${size}`;
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  const fraction = digits.slice(exponent + 1);
  return sign + whole + (fraction && '.' + fraction);
}

correct(data.NumberData.prototype, 'coerceString', function (original) {
  return rule('number to text', original.call(this), numberText(this.value));
});

// `ParseNumber` of the runner: Double.TryParse, then 32 bits of hexadecimal or octal.
function textNumber(text) {
  const trimmed = text.replace(/^[\p{White_Space}]+|[\p{White_Space}]+$/gu, '');
  if (trimmed === '') return 0;
  if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(trimmed)) return Number(trimmed);
  if (/^[+-]?infinity$/i.test(trimmed)) return trimmed[0] === '-' ? -Infinity : Infinity;
  if (/^0x[0-9a-fA-F]+$/.test(trimmed)) return bits(trimmed.slice(2), 16);
  if (/^0o[0-7]+$/.test(trimmed)) return bits(trimmed.slice(2), 8);
  return NaN;
}

function bits(digits, radix) {
  const value = parseInt(digits, radix);
  return value > 0xffffffff ? NaN : value | 0;
}

correct(data.StringData.prototype, 'number', function (original) {
  return rule('text to number', original.call(this), textNumber(this.value));
});

// All doubled quotes stand for one, not only the first.
correct(Lexer.prototype, 'addToken', function (original, type, value) {
  const lexeme = this.input.substring(this.start, this.offset);
  const isText = lexeme.startsWith("'");
  const unquoted = isText ? lexeme.slice(1, -1).replaceAll("''", "'") : value;
  return original.call(this, type, isText ? rule('doubled quotes', value, unquoted) : value);
});

// No separator before the closing parenthesis.
correct(Lexer.prototype, 'lex', function (original) {
  const lexed = original.call(this);
  const types = lexed.tokens.map(token => token.lexeme);
  if (types.some((text, at) => text === ',' && types[at + 1] === ')')) {
    rules.add('trailing separator');
    throw new Error('Unexpected symbol');
  }
  return lexed;
});

// OrdinalIgnoreCase: character by character, and none outside ASCII becomes one of ASCII.
function fold(text) {
  let folded = '';
  for (const character of text) {
    const upper = upperCase.call(character);
    const single = [...upper].length === 1 && (character < '\x80' || upper >= '\x80');
    folded += single ? upper : character;
  }
  return folded;
}
const upperCase = String.prototype.toUpperCase;
correct(String.prototype, 'toUpperCase', function (original) {
  return rule('case of letters', original.call(this), fold(this));
});
correct(String.prototype, 'toLowerCase', function (original) {
  // Whatever folds alike is alike; the names of functions need the form itself.
  return /^[\x00-\x7f]*$/.test(this) ? original.call(this) : fold(this);
});

// Of members whose names differ in case the last one's value counts.
correct(data.Dictionary.prototype, 'add', function (original, key, value) {
  const index = this.indexMap[key.toLowerCase()];
  if (index === undefined) return original.call(this, key, value);
  rules.add('members of one name');
  this.v[index] = value;
});

// An argument that fails does so when it is looked at.
function lazily(evaluate) {
  try {
    return evaluate();
  } catch (error) {
    rules.add('lazy evaluation');
    return new Proxy({}, { get() { throw error; } });
  }
}

correct(Evaluator.prototype, 'visitFunctionCall', function (_, call) {
  const args = call.args.map(arg => lazily(() => this.eval(arg)));
  const name = call.functionName.lexeme.toLowerCase();
  // The separator of what needs none is not looked at.
  const few = name === 'join' && args[0].kind === data.Kind.Array && args[0].values().length < 2;
  const value = wellKnownFunctions[name].call(...(few ? args.slice(0, 1) : args));
  // Where an argument is handed on, it is looked at.
  void value.kind;
  return value;
});

// The index of what has no members is not looked at.
correct(Evaluator.prototype, 'visitIndexAccess', function (original, access) {
  const target = this.eval(access.expr);
  const known = { accept: () => target };
  const evaluate = () => original.call(this, { expr: known, index: access.index });
  if (!target.primitive) return evaluate();
  try {
    return evaluate();
  } catch {
    rules.add('lazy evaluation');
    return new data.Null();
  }
});

// Nothing but digits between the braces.
correct(wellKnownFunctions.format, 'call', function (original, ...args) {
  const text = args[0].coerceString();
  const value = original.apply(this, args);
  for (const [found] of text.matchAll(/\{\{|\}\}|\{\d+[^}\d][^}]*\}/g)) {
    if (found.length > 2) {
      rules.add('format specifiers');
      throw new Error('The following format string is invalid');
    }
  }
  return value;
});

// What Newtonsoft writes.
function json(value, level) {
  const inner = '  '.repeat(level + 1);
  const members = (open, texts, close) =>
    texts.length ? `${open}\n${inner}${texts.join(`,\n${inner}`)}\n${'  '.repeat(level)}${close}` : open + close;
  switch (value.kind) {
    case data.Kind.Null: return 'null';
    case data.Kind.String: return quoted(value.value);
    case data.Kind.Array: return members('[', value.values().map(each => json(each, level + 1)), ']');
    case data.Kind.Dictionary:
      return members('{', value.pairs().map(({ key, value }) => `${quoted(key)}: ${json(value, level + 1)}`), '}');
    default: return value.coerceString();
  }
}

function quoted(text) {
  return JSON.stringify(text).replace(/[\x85\u2028\u2029]/g, character =>
    '\\u' + character.charCodeAt(0).toString(16).padStart(4, '0'));
}

correct(wellKnownFunctions.tojson, 'call', function (original, ...args) {
  const theirs = original.apply(this, args);
  return new data.StringData(rule('toJSON', theirs.value, json(args[0], 0)));
});

// JSON.parse takes less than Newtonsoft.
correct(wellKnownFunctions.fromjson, 'call', function (original, ...args) {
  try {
    return original.apply(this, args);
  } catch (error) {
    rules.add('fromJSON');
    throw error;
  }
});

// Exact and without ambiguity: numbers by their bits, objects as lists of members.
function encode(value) {
  switch (value.kind) {
    case data.Kind.Null: return null;
    case data.Kind.Number: {
      const view = new DataView(new ArrayBuffer(8));
      view.setFloat64(0, Number.isNaN(value.value) ? NaN : value.value + 0);
      return { number: view.getBigUint64(0).toString(16).padStart(16, '0') };
    }
    case data.Kind.String: return value.value.toWellFormed();
    case data.Kind.Array: return value.values().map(encode);
    case data.Kind.Dictionary: return { object: value.pairs().map(({ key, value }) => [key, encode(value)]) };
    default: return value.value;
  }
}

// The contexts as each of the two reads them.
let names = [];
let plainContexts;
let correctedContexts;

function evaluate(expression, contexts) {
  try {
    const { tokens } = new Lexer(expression).lex();
    const tree = new Parser(tokens, names, []).parse();
    if (!tree) throw new Error('An expression was expected');
    return { value: encode(new Evaluator(tree, contexts).evaluate()) };
  } catch (error) {
    return { error: String(error.message) };
  }
}

// A question sets the contexts of those that follow, or is an expression.
export function answer({ contexts, expression }) {
  corrects = false;
  if (contexts !== undefined) {
    names = Object.keys(JSON.parse(contexts));
    plainContexts = JSON.parse(contexts, data.reviver);
  }
  const plain = expression && evaluate(expression, plainContexts);
  corrects = true;
  if (contexts !== undefined) correctedContexts = JSON.parse(contexts, data.reviver);
  rules = new Set();
  const corrected = expression && evaluate(expression, correctedContexts);
  corrects = false;
  return { plain, corrected, rules: [...rules] };
}
