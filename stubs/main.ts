/**
 * Folder of the stubs, in source and in the build.
 */
export const stubsRoot = import.meta.dirname
