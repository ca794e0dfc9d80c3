"""Every command of the root, in the order of the help: a new noun is one line here."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One command of the root.

    Args:
        name: as typed.
        module: of this package; its `app` holds the command, and is imported only when used.
        summary: for the root's help; a test holds it to the command's own first line.
        section: of the root's help.
        verb: whether the command is one of the module's application, not that itself.
    """

    name: str
    module: str
    summary: str
    section: str
    verb: bool = False


DEFINE = "Define"
RUN = "Run and observe"
FILES = "File space"
DAEMON = "Daemon"
LEARN = "Learn and set up"
SECTIONS = (DEFINE, RUN, FILES, DAEMON, LEARN)

COMMANDS = (
    Entry("init", "init", "Write a first workflow and a CI job to start from.", DEFINE),
    Entry("validate", "validate", "Check workflow files, and show every problem.", DEFINE),
    Entry("plan", "apply", "Show what apply would change.", DEFINE, verb=True),
    Entry(
        "apply", "apply", "Bring the daemon's workflows to what the files say.", DEFINE, verb=True
    ),
    Entry("run", "run", "Start a workflow, or run a file here and now.", RUN),
    Entry("workflows", "workflows", "List workflows, look into one, pause or delete it.", RUN),
    Entry("runs", "runs", "List runs, look into one, follow or stop it.", RUN),
    Entry("events", "events", "List the events that started runs.", RUN),
    Entry(
        "write",
        "files",
        "Write a file, new or over what is there; workflows see it at once.",
        FILES,
        verb=True,
    ),
    Entry(
        "append",
        "files",
        "Add to the end of a file, and make it if it is not there.",
        FILES,
        verb=True,
    ),
    Entry("cat", "files", "Print files, byte for byte.", FILES, verb=True),
    Entry("ls", "files", "List files with their sizes and times.", FILES, verb=True),
    Entry("cp", "files", "Copy a file within the file space.", FILES, verb=True),
    Entry("mv", "files", "Move a file within the file space.", FILES, verb=True),
    Entry("rm", "files", "Delete files.", FILES, verb=True),
    Entry("serve", "serve", "Run the daemon in this terminal, until Ctrl-C or SIGTERM.", DAEMON),
    Entry("daemon", "daemon", "Start, stop and look at the daemon in the background.", DAEMON),
    Entry("demo", "demo", "See real workflows run, in under a minute.", LEARN),
    Entry("actions", "actions", "List what a step can do, with parameters and examples.", LEARN),
    Entry(
        "schema",
        "schema",
        "Print the JSON Schema of workflow files, for editors and checks.",
        LEARN,
    ),
    Entry("completion", "completion", "Set up completion in your shell.", LEARN),
    Entry("version", "version", "Show the versions of this program and of the daemon.", LEARN),
)
