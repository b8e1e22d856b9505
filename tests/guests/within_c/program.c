/* Loads the library that its environment names. Calls its entry always, never, or once: not in its workers. */

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void) {
    void *library = dlopen(getenv("WITHIN_C"), RTLD_NOW);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    void (*init)(void) = (void (*)(void))dlsym(library, "within_c_init");
    void (*run)(void) = (void (*)(void))dlsym(library, "within_c_run");
    const char *when = getenv("WITHIN_C_INIT");
    if (!strcmp(when, "always") || (!strcmp(when, "once") && !getenv("LOKY_WORKER"))) {
        init();
    }
    run();
    return 0;
}
