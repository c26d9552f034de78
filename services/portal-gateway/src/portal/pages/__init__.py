"""The pages: who visits them, in which language, and how what is known is shown."""
