"""What a person starts: the command line, the workbench of tabs, the dashboard."""
