"""The accuracy of the very files that were timed, over a folder of photographs."""
