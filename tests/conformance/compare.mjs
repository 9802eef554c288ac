#!/usr/bin/env node
// Reads what run.mjs prints and compares it with not-yet.txt: `run.mjs [arguments] | compare.mjs [the same arguments]`.
// A check fails the run if it failed without being listed, passed although it is listed, or gave no result.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

/** The names of the checks that run.mjs would run. */
function names(args, env) {
	const listed = spawnSync(process.execPath, [join(here, 'run.mjs'), ...args, '--list'], { env, encoding: 'utf8', maxBuffer: 1 << 24 });
	if (listed.status !== 0) {
		process.stderr.write(listed.stderr);
		process.exit(2);
	}
	return listed.stdout.split('\n').filter(Boolean).map((line) => line.slice(line.indexOf('\t') + 1));
}

/** not-yet.txt as a map from the name of a check to its topic. */
function notYet() {
	const entries = new Map();
	for (const line of readFileSync(join(here, 'not-yet.txt'), 'utf8').split('\n')) {
		if (line.trim() === '' || line.startsWith('#')) continue;
		const at = line.lastIndexOf(' # ');
		const name = (at < 0 ? line : line.slice(0, at)).trim();
		if (at < 0) wrong.push(`not-yet.txt: "${name}" has no topic after " # "`);
		if (entries.has(name)) wrong.push(`not-yet.txt: "${name}" is listed twice`);
		entries.set(name, at < 0 ? '' : line.slice(at + 3).trim());
	}
	return entries;
}

const wrong = [];
const { FILTER, ...unfiltered } = process.env;
const selected = new Set(names(process.argv.slice(2), process.env));
const expected = notYet();
const all = new Set(names([], unfiltered));
for (const name of expected.keys()) if (!all.has(name)) wrong.push(`not-yet.txt: no check is named "${name}"`);

const results = new Map();
// A reason follows the name after ": ", and both may hold ": " themselves, so the longest known name is the right one.
const nameIn = (text) => {
	let found = null;
	for (const name of selected) if ((text === name || text.startsWith(`${name}:`) || text.startsWith(`${name} (`)) && name.length > (found?.length ?? 0)) found = name;
	return found;
};

for await (const line of createInterface({ input: process.stdin })) {
	const [, result, text] = line.match(/^(ok|FAIL|skip) (.*)$/) ?? [];
	const name = result && nameIn(text);
	if (name) results.set(name, result);
	else if (result) wrong.push(`a result of an unknown check: ${text}`);
	if (/^\d+ passed, \d+ failed/.test(line)) continue;
	if (result === 'FAIL' && expected.has(name)) console.log(`not yet ${text}`);
	else console.log(line);
}

const count = { passed: 0, failed: wrong.length, waiting: 0, skipped: 0 };
for (const name of selected) {
	const result = results.get(name);
	if (result === 'ok' && expected.has(name)) {
		count.failed++;
		wrong.push(`now passes: remove it from not-yet.txt: ${name}`);
	} else if (result === 'ok') count.passed++;
	else if (result === 'FAIL' && expected.has(name)) count.waiting++;
	else if (result === 'skip') count.skipped++;
	else {
		count.failed++;
		wrong.push(`${result === 'FAIL' ? 'failed' : 'gave no result'}: ${name}`);
	}
}

if (wrong.length > 0) console.log(`\nWhat is wrong:\n  ${wrong.join('\n  ')}`);
console.log(`${count.passed} passed, ${count.failed} failed, ${count.waiting} not yet${count.skipped ? `, ${count.skipped} skipped` : ''}`);
process.exit(count.failed > 0 || selected.size === 0 ? 1 : 0);
