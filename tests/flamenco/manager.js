// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a Manager of Flamenco 3.5 to 3.9 gives to a job compiler script, as far as ours asks for it.
//     node manager.js SCRIPT.js < {"name", "created", "settings"}  prints {"type", "tasks", "settings"} or {"error"}

"use strict";

const fs = require("fs");
const vm = require("vm");

// As the Go functions behind them: empty names are refused, numbers of frames come sorted and once.
const author = {
    Task: function (name, type) {
        if (typeof name !== "string" || !name.trim()) throw new Error("author.Task(name, type): name is required");
        if (typeof type !== "string" || !type.trim()) throw new Error("author.Task(name, type): type is required");
        const task = { name: name.trim(), type: type.trim(), commands: [], dependencies: [] };
        Object.defineProperty(task, "addCommand", { value: (command) => { task.commands.push(command); } });
        Object.defineProperty(task, "addDependency", { value: (other) => { task.dependencies.push(other.name); } });
        return task;
    },
    Command: (name, parameters) => JSON.parse(JSON.stringify({ name: name, parameters: parameters })),
};

function frameChunker(range, size) {
    if (!range.trim()) throw new Error("empty range");
    const frames = new Set();
    for (const part of range.split("..").join("-").split(",")) {
        const ends = part.split("-").map((end) => (/^\s*\d+\s*$/.test(end) ? parseInt(end, 10) : NaN));
        if (ends.length > 2 || ends.some(isNaN)) throw new Error(`invalid range "${range}": ${part}`);
        for (let frame = ends[0]; frame <= ends[ends.length - 1]; frame++) frames.add(frame);
    }
    if (size !== 1) throw new Error("this stand-in knows chunks of one frame only");
    return Array.from(frames).sort((a, b) => a - b).map(String);
}

// Words as a shell splits them: blanks, both quotes, backslashes.
function shellSplit(line) {
    const words = [];
    let word = null;
    let quote = "";
    for (let i = 0; i < line.length; i++) {
        const c = line[i];
        if (quote) {
            if (c === quote) quote = "";
            else if (c === "\\" && quote === '"') word += line[++i];
            else word += c;
        } else if (c === "'" || c === '"') {
            quote = c;
            word = word === null ? "" : word;
        } else if (/\s/.test(c)) {
            if (word !== null) words.push(word);
            word = null;
        } else {
            word = (word === null ? "" : word) + (c === "\\" ? line[++i] : c);
        }
    }
    if (quote) throw new Error("EOF found when expecting closing quote");
    return word === null ? words : words.concat([word]);
}

// With the separator of the first part that has one, as workers and submitters may run different systems.
const path = {
    join: function () {
        const parts = Array.from(arguments).filter((part) => part !== "");
        const separator = (parts.join("").match(/[\\/]/) || ["/"])[0];
        return parts.join(separator).replace(separator === "/" ? /\/+/g : /(?!^)\\+/g, separator);
    },
};

function formatTimestampLocal(created) {
    return created.replace("T", "_").replace(/:/g, "").slice(0, 17);
}

const given = JSON.parse(fs.readFileSync(0, "utf-8"));
const tasks = [];
const job = { name: given.name, created: given.created, settings: given.settings };
// The Manager keeps a copy of the task as it is when it is added.
job.addTask = (task) => { tasks.push(JSON.parse(JSON.stringify(task))); };
const globals = vm.createContext({
    author, path, frameChunker, shellSplit, formatTimestampLocal, print: () => undefined, alert: () => undefined,
});
vm.runInContext('"use strict";' + fs.readFileSync(process.argv[2], "utf-8"), globals, { filename: process.argv[2] });
const type = vm.runInContext("JOB_TYPE", globals);
let result;
try {
    vm.runInContext("compileJob", globals)(job);
    result = { type: type, tasks: tasks, settings: job.settings };
} catch (error) {
    result = { type: type, error: String(error.message || error) };
}
process.stdout.write(JSON.stringify(result));
