"""One run of the judge: `plan` says what it is to do, `engine` runs it, `outcome` says what it proves."""
