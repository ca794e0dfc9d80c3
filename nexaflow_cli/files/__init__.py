"""The file space: virtual paths over real directories, and who notices a change there."""
