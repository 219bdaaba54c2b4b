/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* par.h: the same work in several threads or processes at once. */
#ifndef MM3_BENCH_PAR_H
#define MM3_BENCH_PAR_H
#include "bench.h"

#include <pthread.h>
#include <sched.h>

struct par {
  void (*work)(void *arg, int worker);
  void *arg;
  int *gate; /* in shared memory: how many are ready; all start when it is complete */
  int workers;
};
struct par_worker {
  struct par *par;
  int number;
};

static void par_wait(struct par *par) {
  __atomic_fetch_add(par->gate, 1, __ATOMIC_SEQ_CST);
  while (__atomic_load_n(par->gate, __ATOMIC_ACQUIRE) < par->workers + 1) sched_yield();
}

static void *par_thread(void *arg) {
  struct par_worker *worker = (struct par_worker *)arg;
  par_wait(worker->par);
  worker->par->work(worker->par->arg, worker->number);
  return NULL;
}

/* Wall time from the common start to the last one's end, in ns. At most 16 workers. */
BENCH_UNUSED static double par_run(int workers, int processes, void (*work)(void *arg, int worker), void *arg) {
  struct par par = {work, arg, (int *)bench_shared(4096), workers};
  struct par_worker each[16];
  pthread_t threads[16];
  pid_t children[16];
  for (int i = 0; i < workers; i++) {
    each[i].par = &par, each[i].number = i;
    if (processes) {
      children[i] = fork();
      if (children[i] == 0) par_thread(&each[i]), fflush(stdout), _exit(0);
      BENCH_NEED(children[i] > 0);
    } else
      BENCH_NEED(pthread_create(&threads[i], NULL, par_thread, &each[i]) == 0);
  }
  while (__atomic_load_n(par.gate, __ATOMIC_ACQUIRE) < workers) sched_yield();
  double start = bench_wall();
  __atomic_fetch_add(par.gate, 1, __ATOMIC_SEQ_CST);
  for (int i = 0; i < workers; i++) {
    int status = 0;
    if (processes) BENCH_NEED(waitpid(children[i], &status, 0) == children[i] && status == 0);
    else pthread_join(threads[i], NULL);
  }
  double end = bench_wall();
  munmap(par.gate, 4096);
  return end - start;
}

#endif
