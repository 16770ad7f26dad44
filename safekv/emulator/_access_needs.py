"""Which permission an operation needs, in either model: from the service's reference and its list of data actions."""

from __future__ import annotations

from typing import NamedTuple

PREFIX = "Microsoft.KeyVault/vaults/"


class Need(NamedTuple):
    """What one operation needs: ``permission`` on ``collection`` in an access policy, or a data action.

    ``action`` comes without ``PREFIX``. ``instead`` are permissions that will do as well.
    """

    collection: str
    permission: str
    action: str
    instead: tuple[str, ...] = ()

    @property
    def full_action(self) -> str:
        return PREFIX + self.action


_OPERATIONS = {
    "secrets": """
        get_secret                              get       secrets/getSecret/action
        set_secret                              set       secrets/setSecret/action
        update_secret_properties                set       secrets/update/action
        list_properties_of_secrets              list      secrets/readMetadata/action
        list_properties_of_secret_versions      list      secrets/readMetadata/action
        delete_secret                           delete    secrets/delete
        get_deleted_secret                      get       secrets/readMetadata/action
        list_deleted_secrets                    list      secrets/readMetadata/action
        recover_deleted_secret                  recover   secrets/recover/action
        purge_deleted_secret                    purge     secrets/purge/action
        backup_secret                           backup    secrets/backup/action
        restore_secret_backup                   restore   secrets/restore/action
    """,
    "keys": """
        create_key                              create    keys/create/action
        import_key                              import    keys/import/action
        get_key                                 get       keys/read
        list_properties_of_keys                 list      keys/read
        list_properties_of_key_versions         list      keys/read
        get_deleted_key                         get       keys/read
        list_deleted_keys                       list      keys/read
        update_key_properties                   update    keys/update/action
        delete_key                              delete    keys/delete
        recover_deleted_key                     recover   keys/recover/action
        purge_deleted_key                       purge     keys/purge/action
        backup_key                              backup    keys/backup/action
        restore_key_backup                      restore   keys/restore/action
        wrap_key                                wrapKey   keys/wrap/action
        unwrap_key                              unwrapKey keys/unwrap/action
        encrypt                                 encrypt   keys/encrypt/action
        decrypt                                 decrypt   keys/decrypt/action
        sign                                    sign      keys/sign/action
        verify                                  verify    keys/verify/action
        release_key                             release   keys/release/action
        rotate_key                              rotate    keys/rotate/action
        get_key_rotation_policy                 getrotationpolicy keyrotationpolicies/read
        update_key_rotation_policy              setrotationpolicy keyrotationpolicies/write
    """,
    "certificates": """
        get_certificate                         get       certificates/read
        get_certificate_version                 get       certificates/read
        get_certificate_policy                  get       certificates/read
        get_certificate_operation               get       certificates/read
        list_properties_of_certificates         list      certificates/read
        list_properties_of_certificate_versions list      certificates/read
        get_deleted_certificate                 get       certificates/read
        list_deleted_certificates               list      certificates/read
        create_certificate                      create    certificates/create/action
        merge_certificate                       create    certificates/create/action
        import_certificate                      import    certificates/import/action
        update_certificate_properties           update    certificates/update/action
        update_certificate_policy               update    certificates/update/action
        cancel_certificate_operation            update    certificates/update/action
        delete_certificate_operation            update    certificates/update/action
        delete_certificate                      delete    certificates/delete
        recover_deleted_certificate             recover   certificates/recover/action
        purge_deleted_certificate               purge     certificates/purge/action
        backup_certificate                      backup    certificates/backup/action
        restore_certificate_backup              restore   certificates/restore/action
        get_contacts                            managecontacts certificatecontacts/write
        set_contacts                            managecontacts certificatecontacts/write
        delete_contacts                         managecontacts certificatecontacts/write
        get_issuer                              getissuers     certificatecas/read    manageissuers
        list_properties_of_issuers              listissuers    certificatecas/read    manageissuers
        create_issuer                           setissuers     certificatecas/write   manageissuers
        update_issuer                           setissuers     certificatecas/write   manageissuers
        delete_issuer                           deleteissuers  certificatecas/delete  manageissuers
    """,
}


def _read(table: str) -> dict[str, tuple[str, str, tuple[str, ...]]]:
    rows = [line.split() for line in table.strip().splitlines()]
    return {operation: (permission, action, tuple(instead)) for operation, permission, action, *instead in rows}


#: By operation, named as the SDK's method is.
NEEDS = {
    operation: Need(collection, *need)
    for collection, table in _OPERATIONS.items()
    for operation, need in _read(table).items()
}

_PERMISSIONS = {
    "keys": """
        all encrypt decrypt wrapKey unwrapKey sign verify get list create update import delete backup restore
        recover purge release rotate getrotationpolicy setrotationpolicy
    """,
    "secrets": """all get list set delete backup restore recover purge""",
    "certificates": """
        all get list delete create import update managecontacts getissuers listissuers setissuers deleteissuers
        manageissuers recover purge backup restore
    """,
    "storage": """
        all get list delete set update regeneratekey recover purge backup restore setsas listsas getsas deletesas
    """,
}
#: What an access policy may list, as the service spells it; ``all`` stands for each of a collection.
PERMISSIONS = {collection: tuple(known.split()) for collection, known in _PERMISSIONS.items()}
