/* SPDX-License-Identifier: Apache-2.0 */

#ifndef PROXY_PAGE_H
#define PROXY_PAGE_H 1

/* A page that shows what the program does
 * =======================================
 *
 *     /                   the page, page.html
 *     /state.json         the state of the switch
 *     /services.json      Services, PAGE_MAX_SERVICES of them at most
 *     /services/NS/NAME   one Service
 *
 * Attack model: whoever reaches the address may read all of this, and change
 * nothing.  Names and texts of the API server reach the browser as JSON, and
 * the page never makes markup of them.
 *
 * Thread-safety: as kube-http.h. */

struct kube_response;
struct of_sync;
struct service_pipeline;

#define PAGE_MAX_SERVICES 1000

void proxy_page_serve(struct service_pipeline *, const struct of_sync *,
                      const char *state, const char *fault, const char *path,
                      struct kube_response *);

#endif /* proxy-page.h */
