"""What a run leaves behind: tape, rows, files, attachments, the report."""
