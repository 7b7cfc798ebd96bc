// Nothing: a target that owns the precompiled headers of all unit tests has to have a source.
