/* What the system calls when a signal comes, whatever the program is at. Everything in here is allowed in a signal handler, signal-safety(7).
   EXIT_CODE: that of a program which was interrupted. RESTORED: what gives a terminal back as it was. */

typedef void handler(int signal, void *information, void *context);
struct waiting {
  int descriptor;
  short events, happened;
};

/* Of the system's library, which is reached by address: there is nothing to link with on machines without a compiler. */
static int (*sigaction)(int signal, const void *next, void *previous);
static unsigned (*alarm)(unsigned seconds);
static int (*poll)(struct waiting *, unsigned long count, int milliseconds);
static long (*write)(int descriptor, const void *bytes, unsigned long count);
static int (*clock_gettime)(int clock, long *time);
static void (*exit_now)(int code);
static int (*raise)(int signal);

/* As every system has them that we build for; there are no headers either. */
enum { SIGINT = 2, SIGALRM = 14, POLLOUT = 4, STDERR = 2 };
#ifdef __APPLE__
enum { CLOCK_MONOTONIC = 6 };
#else
enum { CLOCK_MONOTONIC = 1 };
#endif
/* Signals that come together are one: a terminal that is closed, and its shell, both send SIGHUP. */
enum { TOGETHER_MS = 300 };
/* So many seconds later it is said that nobody hears; all is over; all is over although it was heard. */
enum { HINT_AFTER = 2, LEAVE_AFTER = 4, LINGER = 5 };

static handler *ours[32];
static volatile int isUnheard, wasAsked, isLast;
static volatile long since;

static const char AGAIN[] = "\nInterrupted: code of your files is busy and does not hear. Press Ctrl-C again to leave at once\n";
static const char LEFT[] =
    RESTORED "\nInterrupted: code of your files looped or blocked and did not hear. Commands may still be running on hosts\n";

static long milliseconds(void) {
  long time[2];
  clock_gettime(CLOCK_MONOTONIC, time);
  return time[0] * 1000 + time[1] / 1000000;
}

static void say(const char *words, unsigned long count) {
  struct waiting output = {STDERR, POLLOUT, 0};
  if (poll(&output, 1, 0) == 1 && output.happened == POLLOUT) write(STDERR, words, count);
}

static void leave(void) {
  say(LEFT, sizeof LEFT - 1);
  exit_now(EXIT_CODE);
}

/* The terminal is somebody else's for a while: the system stops the program once this is over. */
static void onStop(int signal, void *information, void *context) {
  handler *action[32];
  say(RESTORED, sizeof RESTORED - 1);
  sigaction(signal, 0, action);
  action[0] = 0;
  sigaction(signal, action, 0);
  raise(signal);
}

static void onAlarm(int signal, void *information, void *context) {
  if (isLast) leave();
  say(AGAIN, sizeof AGAIN - 1);
}

static void onSignal(int signal, void *information, void *context) {
  long now = milliseconds();
  if (isUnheard && now - since > TOGETHER_MS) leave();
  if (!isUnheard) since = now;
  isUnheard = 1;
  if (signal == SIGINT && !wasAsked) {
    wasAsked = 1;
    alarm(HINT_AFTER);
  } else if (!isLast) {
    isLast = 1;
    alarm(LEAVE_AFTER);
  }
  ours[signal](signal, information, context);
}

/* To be called first, with the addresses of these. */
void reach(void **functions) {
  sigaction = functions[0];
  alarm = functions[1];
  poll = functions[2];
  write = functions[3];
  clock_gettime = functions[4];
  exit_now = functions[5];
  raise = functions[6];
}

/* The program has heard what came. It may loop all the same before it ends. */
void heard(void) {
  isUnheard = 0;
  alarm(isLast ? LINGER : 0);
}

/* Stand before the handler that the program has for a signal. */
void guard(int signal) {
  /* No `struct sigaction` is longer, and each begins with the handler; 0 and 1 stand for none. */
  handler *action[32];
  if (sigaction(signal, 0, action) != 0 || action[0] == onSignal || (unsigned long)action[0] < 2) return;
  ours[signal] = action[0];
  action[0] = onSignal;
  sigaction(signal, action, 0);
  action[0] = onAlarm;
  sigaction(SIGALRM, action, 0);
}

/* Stand before what the system does at a signal that stops the program; to be called again when it goes on. */
void guard_stop(int signal) {
  handler *action[32];
  if (sigaction(signal, 0, action) != 0 || action[0] != 0) return;
  /* What it interrupts goes on afterwards, as with the handlers that the program has. */
  sigaction(SIGINT, 0, action);
  action[0] = onStop;
  sigaction(signal, action, 0);
}
