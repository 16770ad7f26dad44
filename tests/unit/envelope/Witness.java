import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.HexFormat;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * Reads what safekv writes, with nothing but the JDK and docs/explanation/formats.md.
 *
 * <pre>
 * java Witness record KEY(hex) AAD(hex) RECORD(hex)      prints the content in hex
 * java Witness file   KEY(hex) AAD(hex) SOURCE TARGET    writes the content
 * </pre>
 */
public final class Witness {
    private static final HexFormat HEX = HexFormat.of();

    public static void main(String[] args) throws Exception {
        byte[] key = HEX.parseHex(args[1]);
        byte[] aad = HEX.parseHex(args[2]);
        if (args[0].equals("record")) {
            System.out.println(HEX.formatHex(record(key, aad, HEX.parseHex(args[3]))));
        } else {
            Files.write(Path.of(args[4]), file(key, aad, Files.readAllBytes(Path.of(args[3]))));
        }
    }

    /** 0x01, key id (4), salt (12), nonce (12), ciphertext and tag: XAES-256-GCM. */
    static byte[] record(byte[] key, byte[] aad, byte[] record) throws GeneralSecurityException {
        byte[] salt = Arrays.copyOfRange(record, 5, 17);
        byte[] nonce = Arrays.copyOfRange(record, 17, 29);
        return gcm(subkey(key, salt), nonce, aad, record, 29, record.length - 29);
    }

    private static byte[] subkey(byte[] key, byte[] salt) throws GeneralSecurityException {
        Cipher aes = Cipher.getInstance("AES/ECB/NoPadding");
        aes.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(key, "AES"));
        byte[] k1 = aes.doFinal(new byte[16]);
        int top = k1[0] & 0x80;
        for (int i = 0; i < 16; i++) {
            k1[i] = (byte) (k1[i] << 1 | (i < 15 ? (k1[i + 1] & 0xff) >>> 7 : 0));
        }
        if (top != 0) {
            k1[15] ^= (byte) 0x87;
        }
        ByteBuffer derived = ByteBuffer.allocate(32);
        for (byte half = 1; half <= 2; half++) {
            byte[] block = ByteBuffer.allocate(16).put(new byte[] {0, half, 'X', 0}).put(salt).array();
            for (int i = 0; i < 16; i++) {
                block[i] ^= k1[i];
            }
            derived.put(aes.doFinal(block));
        }
        return derived.array();
    }

    /** A preamble of its own length, then Tink's AES-GCM-HKDF stream; the associated data is the preamble and the aad. */
    static byte[] file(byte[] key, byte[] aad, byte[] data) throws GeneralSecurityException, IOException {
        int length = ByteBuffer.wrap(data, 8, 4).getInt();
        int segmentSize = 1 << data[7];
        byte[] info = ByteBuffer.allocate(length + aad.length).put(data, 0, length).put(aad).array();
        byte[] salt = Arrays.copyOfRange(data, length + 1, length + 33);
        byte[] prefix = Arrays.copyOfRange(data, length + 33, length + 40);
        byte[] derived = hkdf(key, salt, info);
        java.io.ByteArrayOutputStream content = new java.io.ByteArrayOutputStream();
        int segment = 0;
        for (int start = length + 40; start < data.length; segment++) {
            int end = (int) Math.min(data.length, length + (segment + 1L) * segmentSize);
            byte last = (byte) (end == data.length ? 1 : 0);
            byte[] nonce = ByteBuffer.allocate(12).put(prefix).putInt(segment).put(last).array();
            content.write(gcm(derived, nonce, new byte[0], data, start, end - start));
            start = end;
        }
        return content.toByteArray();
    }

    /** HKDF-SHA256 for 32 bytes: one block. */
    private static byte[] hkdf(byte[] key, byte[] salt, byte[] info) throws GeneralSecurityException {
        return hmac(hmac(salt, key), ByteBuffer.allocate(info.length + 1).put(info).put((byte) 1).array());
    }

    private static byte[] hmac(byte[] key, byte[] data) throws GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        return mac.doFinal(data);
    }

    private static byte[] gcm(byte[] key, byte[] nonce, byte[] aad, byte[] data, int start, int length)
            throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(Cipher.DECRYPT_MODE, new SecretKeySpec(key, "AES"), new GCMParameterSpec(128, nonce));
        cipher.updateAAD(aad);
        return cipher.doFinal(data, start, length);
    }
}
