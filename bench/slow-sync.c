/* Stands in for a slow disk: every sync takes so many microseconds more. For LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

typedef int (*sync_function)(int);

static useconds_t delay(void) {
  const char *text = getenv("SLOW_SYNC_MICROSECONDS");
  return text ? (useconds_t)atoi(text) : 0;
}

static int slowly(const char *name, int descriptor) {
  sync_function real = (sync_function)dlsym(RTLD_NEXT, name);
  int result = real(descriptor);
  usleep(delay());
  return result;
}

int fsync(int descriptor) { return slowly("fsync", descriptor); }
int fdatasync(int descriptor) { return slowly("fdatasync", descriptor); }
