// SPDX-FileCopyrightText: 2026 SGE Fit contributors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Job type "SGE Fit" of Flamenco 3.5 and later: one fit per task. README.md beside this file says how to install
// it. The Manager runs it in goja, in strict mode: ES6, nothing newer, no files, no modules.

const JOB_TYPE = {
    label: "SGE Fit",
    description: "Fit meshes and textures to reference images, one fit per task",
    settings: [
        // What is fitted: the jobs of a file, or this blend file, once or for each object and frame.
        {
            key: "jobs_file", type: "string", subtype: "file_path", visible: "submission",
            description: "A file of jobs as tools/fit.py --jobs reads it, on the shared storage; a task for each "
                + "job. Leave empty to fit the objects of this blend file",
        },
        {
            key: "objects", type: "string", default: "",
            description: "Objects to fit, a task for each: names with commas between them, or a list as in JSON. "
                + "Leave empty to fit together what is selected in the blend file",
        },
        {
            key: "frames", type: "string", default: "",
            description: "Frames to fit at, a task for each. Examples: '47', '1-30', '3, 5-10'. "
                + "Leave empty for the frame that the blend file was saved at",
        },
        {
            key: "flags", type: "string", default: "",
            description: "Flags of tools/fit.py for every task, such as --steps 800 --references "
                + "/photos/{object}/{frame4}. {object} and {frame} are those of the task, {frame4} has 4 digits. "
                + "Without flags the settings count that the blend file stores",
        },
        {
            key: "output_root", type: "string", subtype: "dir_path", visible: "submission",
            description: "Folder on the shared storage, for a folder of this job with one for each task. A file of "
                + "jobs may say itself where results go: then leave this empty",
        },

        // How. These hold for a whole farm and seldom change.
        {
            key: "fit_script", type: "string", required: true, default: "{sgeFit}",
            description: "tools/fit.py as the workers see it: a variable of the Manager, or a path",
        },
        {
            key: "blender_args", type: "string", default: "",
            description: "More arguments for Blender itself, such as --gpu-backend opengl",
        },

        // Found out when the job is submitted.
        {
            key: "jobs_path", type: "string", visible: "hidden",
            eval: "str(abspath(settings.jobs_file)) if settings.jobs_file else ''",
            description: "The file of jobs, absolute",
        },
        {
            key: "job_names", type: "string", visible: "web",
            eval: "__import__('json').dumps([job['name'] for job in __import__('json').loads(Path("
                + "abspath(settings.jobs_file)).read_text(encoding='utf-8-sig'))['jobs']]) "
                + "if settings.jobs_file else ''",
            description: "Names of the jobs in the file",
        },
        {
            key: "output_path", type: "string", visible: "web",
            eval: "str(Path(abspath(settings.output_root), jobname, '{timestamp}')) if settings.output_root else ''",
            description: "Folder of the results",
        },
        {
            key: "blendfile", type: "string", required: true, visible: "web",
            description: "The blend file as the workers see it",
        },
    ],
};

function compileJob(job) {
    const settings = job.settings;
    const output = (settings.output_path || "").split("{timestamp}").join(formatTimestampLocal(job.created));
    settings.output_path = output; // so that the job tells later where its results are
    const tasks = settings.jobs_path ? tasksOfJobs(settings, output) : tasksOfBlendfile(settings, output);
    for (const task of tasks) {
        job.addTask(task);
    }
    print("SGE Fit: " + tasks.length + " tasks");
}

// One task for each job of a file; the file names scenes, settings and results.
function tasksOfJobs(settings, output) {
    for (const key of ["objects", "frames", "flags"]) {
        if (settings[key]) {
            throw new Error("'" + key + "' goes with a blend file; put it into the file of jobs instead: "
                + settings.jobs_path);
        }
    }
    const names = namesIn(settings.job_names, "job_names");
    if (names.length === 0) {
        throw new Error("no job in " + settings.jobs_path);
    }
    return names.map(function (name) {
        const flags = ["--jobs=" + settings.jobs_path, "--only=" + name];
        return fitTask(settings, name, "", output ? flags.concat(["--output=" + output]) : flags);
    });
}

// One task for each object and frame of the blend file; for all of it where neither is named.
function tasksOfBlendfile(settings, output) {
    if (!output) {
        throw new Error("there is no folder for the results: set 'output_root'");
    }
    const objects = namesIn(settings.objects, "objects");
    const frames = (settings.frames || "").trim() ? frameChunker(settings.frames, 1) : [];
    const more = shellSplit(settings.flags || "");
    const taken = {};
    const tasks = [];
    for (const object of objects.length ? objects : [null]) {
        for (const frame of frames.length ? frames : [null]) {
            const folder = folderName(object, frame);
            const key = folder.toLowerCase();
            if (Object.prototype.hasOwnProperty.call(taken, key)) {
                throw new Error("'" + taken[key] + "' and '" + object + "' would write into one folder, '"
                    + folder + "': rename one of them, or fit them by a file of jobs");
            }
            taken[key] = object;
            let flags = more.map(function (word) { return filled(word, object, frame); });
            flags = flags.concat(object === null ? [] : ["--object=" + object]);
            flags = flags.concat(frame === null ? [] : ["--frame=" + frame]);
            flags = flags.concat(["--output=" + path.join(output, folder)]);
            tasks.push(fitTask(settings, folder, settings.blendfile, flags));
        }
    }
    return tasks;
}

// A task that runs tools/fit.py once; its exit code decides, of which only 0 is a success.
function fitTask(settings, name, blendfile, flags) {
    const task = author.Task("fit-" + name, "blender");
    task.addCommand(author.Command("blender-render", {
        exe: "{blender}",
        exeArgs: "{blenderArgs}",
        // The exit code counts only for scripts that follow it: it is for what fails before ours takes over.
        argsBefore: ["--background", "--python-exit-code", "1"].concat(shellSplit(settings.blender_args || "")),
        blendfile: blendfile,
        args: ["--python", settings.fit_script || "{sgeFit}", "--"].concat(flags),
    }));
    return task;
}

// Names between commas, or a JSON list of them where names have commas of their own; each once.
function namesIn(text, key) {
    const given = (text || "").trim();
    let names;
    if (given.charAt(0) === "[") {
        try {
            names = JSON.parse(given);
        } catch (error) {
            throw new Error("'" + key + "' is not a list as in JSON: " + given);
        }
    } else {
        names = given.split(",").map(function (name) { return name.trim(); });
    }
    return names.filter(function (name, index) { return name !== "" && names.indexOf(name) === index; });
}

function folderName(object, frame) {
    const parts = [];
    if (object !== null) {
        parts.push(object.replace(/[\\/:*?"<>|]/g, "_"));
    }
    if (frame !== null) {
        parts.push(padded(frame, 4));
    }
    return parts.length ? parts.join("-") : "all";
}

function filled(word, object, frame) {
    const named = object === null ? word : word.split("{object}").join(object);
    if (frame === null) {
        return named;
    }
    return named.replace(/\{frame(\d*)\}/g, function (match, digits) { return padded(frame, Number(digits)); });
}

function padded(frame, digits) {
    let text = String(frame);
    while (text.length < digits) {
        text = "0" + text;
    }
    return text;
}
