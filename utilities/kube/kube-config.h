/* SPDX-License-Identifier: Apache-2.0 */

#ifndef KUBE_CONFIG_H
#define KUBE_CONFIG_H 1

/* Where the API server is, and how it and we prove who we are
 * ===========================================================
 *
 * Read from a kubeconfig file, or from the service account that Kubernetes
 * mounts into a pod.
 *
 * The server is always reached by TLS, and its certificate always verified:
 * against the configured certificate authority or, without one, against those
 * of the system, as kubectl does.  Settings that would weaken this are
 * refused: http://, insecure-skip-tls-verify.  Unknown ways to authenticate
 * are refused too: exec plugins, auth providers, passwords.  Not to start is
 * better than to start as somebody else.
 *
 * Tokens and certificates are renewed in place.  So
 * kube_config_load_credentials() reads their files each time.
 *
 * Thread-safety: none; a configuration belongs to one thread. */

#include <stdbool.h>
#include <stddef.h>

/* A secret, in the configuration itself or in a file. */
struct kube_secret {
    char *data;                 /* Null: there is none, or it is in 'file'. */
    size_t size;
    char *file;                 /* Absolute name, or null. */
};

struct kube_config {
    char *server;               /* "https://HOST[:PORT][/PATH]". */
    char *server_name;          /* Name to verify instead of HOST, or null. */
    char *proxy;                /* URL, or null. */
    struct kube_secret ca;      /* PEM.  None: the system's. */
    struct kube_secret cert;    /* PEM.  None: no client certificate. */
    struct kube_secret key;     /* PEM. */
    struct kube_secret token;   /* None: no "Authorization". */
};

/* The secrets of a configuration, as they were when read. */
struct kube_credentials {
    char *ca, *cert, *key;      /* PEM, or null. */
    char *token;                /* Without white space around it, or null. */
};

#define KUBE_SERVICE_ACCOUNT_DIR \
    "/var/run/secrets/kubernetes.io/serviceaccount"

char *kube_config_load(const char *file, const char *context,
                       struct kube_config **);
char *kube_config_load_in_cluster(const char *dir, struct kube_config **);
void kube_config_destroy(struct kube_config *);

char *kube_config_load_credentials(const struct kube_config *,
                                   struct kube_credentials *);
void kube_credentials_destroy(struct kube_credentials *);

char *kube_read_file(const char *name, size_t max, char **data, size_t *size);

#endif /* kube-config.h */
