/* SPDX-License-Identifier: MIT */
/* An eventfd. */
#include "server/drivers/shared/wakeup.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

int wakeup_init(struct wakeup *wakeup)
{
    wakeup->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return wakeup->fd < 0 ? -errno : 0;
}

void wakeup_deinit(const struct wakeup *wakeup)
{
    close(wakeup->fd);
}

void wakeup_notify(const struct wakeup *wakeup)
{
    eventfd_write(wakeup->fd, 1);
}

void wakeup_clear(const struct wakeup *wakeup)
{
    eventfd_t count;
    eventfd_read(wakeup->fd, &count);
}
