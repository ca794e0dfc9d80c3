"""What is measured: each subject is a child process, or a server and a child process."""
