"""The `nexaflow` command; the version is answered before anything is imported."""

import sys


def main() -> int:
    """Run the command line of this process and return its exit code."""
    arguments = sys.argv[1:]
    if arguments == ["--version"]:
        from nexaflow_cli import __version__

        sys.stdout.write(f"nexaflow {__version__}\n")
        return 0
    if arguments[:1] == ["__complete"]:
        from nexaflow_cli.cli.completing import answer

        return answer(arguments[1:])
    from nexaflow_cli.cli.app import command
    from nexaflow_cli.cli.boundary import run

    code: int = run(command(), arguments)
    return code


if __name__ == "__main__":
    sys.exit(main())
